// Loops that do not end. Each counts its iterations in a local variable, which costs next to nothing, and traps beyond
// what any loop needs.
import binaryen from 'binaryen';
import { addLocal, eachPart, sequence } from './tree.mjs';

/** Limits the loops of a function. */
export function limitLoops(module, fn, places) {
  const { i32, local } = module;
  const visit = (expression) => {
    eachPart(expression, (part, replace) => replace(visit(part)));
    if (binaryen.getExpressionId(expression) !== binaryen.LoopId) return expression;
    const count = addLocal(fn, binaryen.i32);
    const next = local.tee(count, i32.add(local.get(count, binaryen.i32), i32.const(1)), binaryen.i32);
    const hang = module.block(null, [
      i32.store(places.hang, 4, i32.const(0), i32.const(1)),
      module.unreachable(),
    ]);
    const look = module.if(i32.eq(next, i32.const(places.loopLimit)), hang);
    binaryen.Loop.setBody(expression, sequence(module, look, binaryen.Loop.getBody(expression)));
    return sequence(module, local.set(count, i32.const(0)), expression);
  };
  binaryen.Function.setBody(fn, visit(binaryen.getFunctionInfo(fn).body));
}
