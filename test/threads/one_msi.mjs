// A thread of the tests that sends one MSI a little later.
import { workerData } from 'node:worker_threads';
import { Injector } from '../../dist/bindings/worker/index.js';

const { shared, deviceId, eventId } = workerData;
setTimeout(() => new Injector(shared).sendMsi(deviceId, eventId), 50);
