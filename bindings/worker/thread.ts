// The script of a worker that a user does not bring.
import { serveMachine } from './serve.ts';

serveMachine();
