// Expressions of a module as a tree: what the pass knows of each kind. A kind that is not known ends the build.
import binaryen from 'binaryen';

/** Where the expressions stand that an expression has, in the order in which they are evaluated. */
const parts = new Map([
  [binaryen.IfId, [binaryen.If, ['Condition', 'IfTrue', 'IfFalse']]],
  [binaryen.LoopId, [binaryen.Loop, ['Body']]],
  [binaryen.BreakId, [binaryen.Break, ['Value', 'Condition']]],
  [binaryen.SwitchId, [binaryen.Switch, ['Value', 'Condition']]],
  [binaryen.LocalSetId, [binaryen.LocalSet, ['Value']]],
  [binaryen.GlobalSetId, [binaryen.GlobalSet, ['Value']]],
  [binaryen.LoadId, [binaryen.Load, ['Ptr']]],
  [binaryen.StoreId, [binaryen.Store, ['Ptr', 'Value']]],
  [binaryen.UnaryId, [binaryen.Unary, ['Value']]],
  [binaryen.BinaryId, [binaryen.Binary, ['Left', 'Right']]],
  [binaryen.SelectId, [binaryen.Select, ['IfTrue', 'IfFalse', 'Condition']]],
  [binaryen.DropId, [binaryen.Drop, ['Value']]],
  [binaryen.ReturnId, [binaryen.Return, ['Value']]],
  [binaryen.MemoryCopyId, [binaryen.MemoryCopy, ['Dest', 'Source', 'Size']]],
  [binaryen.MemoryFillId, [binaryen.MemoryFill, ['Dest', 'Value', 'Size']]],
  [binaryen.SIMDExtractId, [binaryen.SIMDExtract, ['Vec']]],
  [binaryen.SIMDReplaceId, [binaryen.SIMDReplace, ['Vec', 'Value']]],
  [binaryen.SIMDShuffleId, [binaryen.SIMDShuffle, ['Left', 'Right']]],
  [binaryen.SIMDTernaryId, [binaryen.SIMDTernary, ['A', 'B', 'C']]],
  [binaryen.SIMDShiftId, [binaryen.SIMDShift, ['Vec', 'Shift']]],
  [binaryen.SIMDLoadId, [binaryen.SIMDLoad, ['Ptr']]],
]);
const leaves = new Set([
  binaryen.LocalGetId,
  binaryen.GlobalGetId,
  binaryen.ConstId,
  binaryen.NopId,
  binaryen.UnreachableId,
  binaryen.MemorySizeId,
]);

/** Calls `visit` with each expression that an expression has, in order, and a function that puts another in its place. */
export function eachPart(expression, visit) {
  const id = binaryen.getExpressionId(expression);
  if (leaves.has(id)) return;
  if (id === binaryen.BlockId) {
    const count = binaryen.Block.getNumChildren(expression);
    for (let n = 0; n < count; n++) {
      visit(binaryen.Block.getChildAt(expression, n), (other) =>
        binaryen.Block.setChildAt(expression, n, other),
      );
    }
    return;
  }
  if (id === binaryen.CallId) {
    for (let n = 0; n < binaryen.Call.getNumOperands(expression); n++) {
      visit(binaryen.Call.getOperandAt(expression, n), (other) =>
        binaryen.Call.setOperandAt(expression, n, other),
      );
    }
    return;
  }
  const found = parts.get(id);
  if (!found) throw new Error(`expression kind ${id} is not known to the pass`);
  const [kind, names] = found;
  for (const name of names) {
    const part = kind[`get${name}`](expression);
    if (part) visit(part, (other) => kind[`set${name}`](expression, other));
  }
}

/** The expressions that an expression has, in order. */
export function partsOf(expression) {
  const result = [];
  eachPart(expression, (part) => result.push(part));
  return result;
}

/** Calls `visit` with an expression and all that it consists of. */
export function eachWithin(expression, visit) {
  visit(expression);
  eachPart(expression, (part) => eachWithin(part, visit));
}

/** The names of an exported function and of all that it calls, directly or not. */
export function calledFrom(module, exported) {
  const first = binaryen.getExportInfo(module.getExport(exported)).value;
  const names = new Set([first]);
  for (const name of names) {
    const { body } = binaryen.getFunctionInfo(module.getFunction(name));
    if (body === 0) continue;
    eachWithin(body, (expression) => {
      if (binaryen.getExpressionId(expression) === binaryen.CallId) {
        names.add(binaryen.Call.getTarget(expression));
      }
    });
  }
  return names;
}

/** Expressions one after the other; the last one's value is that of all. */
export function sequence(module, ...expressions) {
  return module.block(null, expressions, binaryen.getExpressionType(expressions.at(-1)));
}

/** One more local variable of a function: its index. */
export function addLocal(fn, type) {
  const { params, vars } = binaryen.getFunctionInfo(fn);
  binaryen._BinaryenFunctionAddVar(fn, type);
  return binaryen.expandType(params).length + vars.length;
}
