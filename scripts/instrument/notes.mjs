// Notes of what is written: a byte for each granule, and one for each line of them, set before the store. A granule is put back with the `reach` bytes
// after it, so that one note serves all stores that follow closely on the place that it names: those that are not
// aligned, and the fields of a record.
import binaryen from 'binaryen';
import { addLocal, eachPart, eachWithin, sequence } from './tree.mjs';

/** Bytes that a store has at most. */
const WIDEST = 16;

export class Notes {
  #module;
  #places;
  #markRange;
  #markFill;
  #fn;
  /** Places that are noted where the pass is, `local + offset`: for each local, the offsets in units of the span. */
  #noted = new Map();

  constructor(module, places) {
    this.#module = module;
    this.#places = places;
    this.#markRange = binaryen.getExportInfo(module.getExport('fuzzMarkRange')).value;
    this.#markFill = binaryen.getExportInfo(module.getExport('fuzzMarkFill')).value;
  }

  instrument(fn) {
    this.#fn = fn;
    this.#noted = new Map();
    binaryen.Function.setBody(fn, this.#visit(binaryen.getFunctionInfo(fn).body));
  }

  /** What takes the place of an expression; the notes that hold after it are kept on the way. */
  #visit(expression) {
    switch (binaryen.getExpressionId(expression)) {
      case binaryen.IfId:
        return this.#visitIf(expression);
      case binaryen.LoopId:
        this.#forget(assignedIn(expression));
        return this.#visitParts(expression);
      case binaryen.BlockId:
        return binaryen.Block.getName(expression) === null
          ? this.#visitParts(expression)
          : this.#visitTarget(expression);
      case binaryen.StoreId:
        return this.#visitStore(expression);
      case binaryen.LocalSetId:
        this.#visitParts(expression);
        this.#noted.delete(binaryen.LocalSet.getIndex(expression));
        return expression;
      case binaryen.MemoryCopyId:
        return this.#noteRange(this.#visitParts(expression), this.#markRange);
      case binaryen.MemoryFillId:
        return this.#noteRange(this.#visitParts(expression), this.#markFill);
      default:
        return this.#visitParts(expression);
    }
  }

  #visitParts(expression) {
    eachPart(expression, (part, replace) => replace(this.#visit(part)));
    return expression;
  }

  #visitIf(expression) {
    const { If } = binaryen;
    If.setCondition(expression, this.#visit(If.getCondition(expression)));
    const before = copyOf(this.#noted);
    If.setIfTrue(expression, this.#visit(If.getIfTrue(expression)));
    const afterTrue = this.#noted;
    this.#noted = before;
    const ifFalse = If.getIfFalse(expression);
    if (ifFalse) If.setIfFalse(expression, this.#visit(ifFalse));
    const leaves = (arm) => arm && binaryen.getExpressionType(arm) === binaryen.unreachable;
    if (leaves(ifFalse)) this.#noted = afterTrue;
    else if (!leaves(If.getIfTrue(expression))) this.#noted = common(this.#noted, afterTrue);
    return expression;
  }

  /** Branches lead to the end of a block: what holds there is what held before it. */
  #visitTarget(block) {
    const before = copyOf(this.#noted);
    const assigned = assignedIn(block);
    this.#visitParts(block);
    this.#noted = before;
    this.#forget(assigned);
    return block;
  }

  #forget(locals) {
    for (const local of locals) this.#noted.delete(local);
  }

  /** The address is evaluated before the value. */
  #visitStore(store) {
    const { Store } = binaryen;
    const { local } = this.#module;
    const before = [];
    let ptr = this.#visit(Store.getPtr(store));
    const offset = Store.getOffset(store);
    if (binaryen.getExpressionId(ptr) === binaryen.ConstId) return this.#visitStoreToConstant(store, ptr);
    const isTee = binaryen.getExpressionId(ptr) === binaryen.LocalSetId;
    if (isTee) {
      const index = binaryen.LocalSet.getIndex(ptr);
      before.push(local.set(index, binaryen.LocalSet.getValue(ptr)));
      ptr = local.get(index, binaryen.i32);
    }
    const assigned = assignedIn(Store.getValue(store));
    if (
      binaryen.getExpressionId(ptr) !== binaryen.LocalGetId ||
      assigned.has(binaryen.LocalGet.getIndex(ptr))
    ) {
      const index = addLocal(this.#fn, binaryen.i32);
      before.push(local.set(index, ptr));
      ptr = local.get(index, binaryen.i32);
    }
    Store.setPtr(store, ptr);
    const note = this.#noteOnce(binaryen.LocalGet.getIndex(ptr), offset);
    if (note) before.push(note);
    Store.setValue(store, this.#visit(Store.getValue(store)));
    return before.length === 0 ? store : sequence(this.#module, ...before, store);
  }

  /** The fuzzer's own variables are no state, and the machine's record is always put back. */
  #visitStoreToConstant(store, ptr) {
    const { Store } = binaryen;
    const at = binaryen.getExpressionInfo(ptr).value + Store.getOffset(store);
    Store.setValue(store, this.#visit(Store.getValue(store)));
    if (at + Store.getBytes(store) <= this.#places.alwaysDirtyEnd) return store;
    return sequence(this.#module, this.#note(this.#module.i32.const(at)), store);
  }

  /** The note for a store at a distance from a local, unless there is one that serves it. */
  #noteOnce(index, offset) {
    const span = this.#places.reach - WIDEST;
    const unit = Math.floor(offset / span);
    const units = this.#noted.get(index) ?? new Set();
    if (units.has(unit)) return undefined;
    units.add(unit);
    this.#noted.set(index, units);
    const { i32, local } = this.#module;
    const address = local.get(index, binaryen.i32);
    return this.#note(unit === 0 ? address : i32.add(address, i32.const(unit * span)));
  }

  #note(address) {
    const { i32 } = this.#module;
    const { dirtyMap, dirtyLines, granuleShift, lineShift } = this.#places;
    const mark = (place, shift, at) => i32.store8(place, 1, i32.shr_u(at, i32.const(shift)), i32.const(1));
    const again = this.#module.copyExpression(address);
    return this.#module.block(null, [
      mark(dirtyMap, granuleShift, address),
      mark(dirtyLines, granuleShift + lineShift, again),
    ]);
  }

  /** A call with the same operands comes first. */
  #noteRange(expression, mark) {
    const { local } = this.#module;
    const set = [];
    const again = [];
    eachPart(expression, (part, replace) => {
      const index = addLocal(this.#fn, binaryen.i32);
      set.push(local.set(index, part));
      replace(local.get(index, binaryen.i32));
      again.push(local.get(index, binaryen.i32));
    });
    return sequence(this.#module, ...set, this.#module.call(mark, again, binaryen.none), expression);
  }
}

/** The locals that an expression sets. */
function assignedIn(expression) {
  const locals = new Set();
  eachWithin(expression, (part) => {
    if (binaryen.getExpressionId(part) === binaryen.LocalSetId) locals.add(binaryen.LocalSet.getIndex(part));
  });
  return locals;
}

function copyOf(noted) {
  return new Map([...noted].map(([local, units]) => [local, new Set(units)]));
}

function common(one, other) {
  const both = new Map();
  for (const [local, units] of one) {
    const shared = [...units].filter((unit) => other.get(local)?.has(unit));
    if (shared.length > 0) both.set(local, new Set(shared));
  }
  return both;
}
