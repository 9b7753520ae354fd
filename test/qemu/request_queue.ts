import { QemuError } from './errors.ts';

interface Waiting<Answer> {
  readonly request: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: QemuError) => void;
}

/** Requests whose answers come in the order of the requests, each within a time limit. */
export class RequestQueue<Answer> {
  readonly #waiting: Waiting<Answer>[] = [];
  readonly #patience: number;
  #timer: NodeJS.Timeout | undefined;
  #failure: QemuError | undefined;

  /** `patience`: milliseconds from one answer to the next while requests wait. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** The answer to a request that is being sent. */
  add(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiting.push({ request, resolve, reject });
      if (this.#waiting.length === 1) this.#watch();
    });
  }

  /** Gives the oldest request its answer, or the error that `check` finds in it. */
  answer(answer: Answer, check: (request: string) => QemuError | undefined): void {
    const first = this.#waiting.shift();
    this.#watch();
    if (!first) return;
    const error = check(first.request);
    if (error) first.reject(error);
    else first.resolve(answer);
  }

  /** No answer will come any more: all requests, also later ones, fail. */
  fail(error: QemuError): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
    clearTimeout(this.#timer);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const [oldest] = this.#waiting;
    if (!oldest) return;
    this.#timer = setTimeout(() => {
      const request = oldest.request.slice(0, 100);
      this.fail(new QemuError('TIMEOUT', `no answer to "${request}" in ${this.#patience} ms`));
    }, this.#patience);
  }
}
