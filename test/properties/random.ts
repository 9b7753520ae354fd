export { Random } from '../../bindings/fuzz/random.ts';
