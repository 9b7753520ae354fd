// The binaryen pass of the fuzz build. It inserts
//
// - a counter of 8 bits at each edge: the entry of a function, each arm of an `if`, each iteration of a loop, what
//   follows a branch that was not taken, and where branches lead to;
// - before each store, the note that its granule was written to, so that a fuzzer can go back to a state it kept at a
//   cost that follows what was written;
// - at each iteration of a loop, a look at how many the input has left: one that hangs traps.
//
// Where counters and notes stand the module says itself, by its exported constants (assembly/fuzz/areas.ts).
import binaryen from 'binaryen';

/** Functions of the fuzzer itself, which neither count nor note: they run between inputs. */
const EXEMPT = /^assembly\/fuzz\/(dirty|coverage)\//;

/** Layers that no input reaches: their edges would only dilute what coverage says. Their stores are noted. */
const UNCOUNTED = /^assembly\/(irqchip|kvm)\//;

/** Where the expressions stand that an expression has; those of lists are taken by index. */
const parts = new Map([
  [binaryen.IfId, [binaryen.If, ['Condition', 'IfTrue', 'IfFalse']]],
  [binaryen.LoopId, [binaryen.Loop, ['Body']]],
  [binaryen.BreakId, [binaryen.Break, ['Condition', 'Value']]],
  [binaryen.SwitchId, [binaryen.Switch, ['Condition', 'Value']]],
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
]);
const leaves = new Set([
  binaryen.LocalGetId,
  binaryen.GlobalGetId,
  binaryen.ConstId,
  binaryen.NopId,
  binaryen.UnreachableId,
  binaryen.MemorySizeId,
]);

class Pass {
  edges = 0;

  constructor(module, places) {
    this.module = module;
    this.places = places;
    this.markRange = this.internalName('fuzzMarkRange');
  }

  internalName(exported) {
    return binaryen.getExportInfo(this.module.getExport(exported)).value;
  }

  run() {
    const { module } = this;
    for (let n = 0; n < module.getNumFunctions(); n++) {
      this.function = module.getFunctionByIndex(n);
      const { name, params, body, vars } = binaryen.getFunctionInfo(this.function);
      if (body === 0 || EXEMPT.test(name)) continue;
      this.locals = binaryen.expandType(params).length + vars.length;
      this.counts = !UNCOUNTED.test(name);
      const instrumented = this.visit(body);
      binaryen.Function.setBody(this.function, this.before(this.count(), instrumented));
    }
    if (this.edges > this.places.edgesMax)
      throw new Error(`${this.edges} edges: room for ${this.places.edgesMax}`);
  }

  newLocal() {
    binaryen._BinaryenFunctionAddVar(this.function, binaryen.i32);
    return this.locals++;
  }

  /** Expressions one after the other; the last one's value is that of all. */
  before(...expressions) {
    return this.module.block(null, expressions, binaryen.getExpressionType(expressions.at(-1)));
  }

  /** Counts an edge. */
  count() {
    if (!this.counts) return this.module.nop();
    const { i32 } = this.module;
    const at = () => i32.const(0);
    const place = this.places.edges + this.edges++;
    return i32.store8(place, 1, at(), i32.add(i32.load8_u(place, 1, at()), i32.const(1)));
  }

  /** Takes one iteration from what the input has left; 0 before means that there is no limit. */
  burn() {
    const { i32 } = this.module;
    const left = () => i32.load(this.places.fuel, 4, i32.const(0));
    const less = i32.store(this.places.fuel, 4, i32.const(0), i32.sub(left(), i32.const(1)));
    const hang = this.module.if(i32.eqz(left()), this.module.unreachable());
    return this.module.block(null, [less, hang], binaryen.none);
  }

  /** What takes the place of an expression. */
  visit(expression) {
    const id = binaryen.getExpressionId(expression);
    if (id === binaryen.BlockId) return this.visitBlock(expression);
    if (id === binaryen.CallId) return this.visitCall(expression);
    if (leaves.has(id)) return expression;
    const found = parts.get(id);
    if (!found) throw new Error(`expression kind ${id} is not known to the pass`);
    const [kind, names] = found;
    for (const name of names) {
      const child = kind[`get${name}`](expression);
      if (child) kind[`set${name}`](expression, this.visit(child));
    }
    switch (id) {
      case binaryen.IfId:
        return this.countArms(expression);
      case binaryen.LoopId:
        binaryen.Loop.setBody(
          expression,
          this.before(this.count(), this.burn(), binaryen.Loop.getBody(expression)),
        );
        return expression;
      case binaryen.BreakId:
        return this.countPassed(expression);
      case binaryen.StoreId:
        return this.noteStore(expression);
      case binaryen.MemoryCopyId:
        return this.noteRange(expression, binaryen.MemoryCopy);
      case binaryen.MemoryFillId:
        return this.noteRange(expression, binaryen.MemoryFill);
      default:
        return expression;
    }
  }

  visitBlock(block) {
    const count = binaryen.Block.getNumChildren(block);
    for (let n = 0; n < count; n++) {
      const child = binaryen.Block.getChildAt(block, n);
      binaryen.Block.setChildAt(block, n, this.visit(child));
    }
    const isTarget = binaryen.Block.getName(block) !== null;
    if (!isTarget || binaryen.getExpressionType(block) !== binaryen.none) return block;
    return this.module.block(null, [block, this.count()], binaryen.none);
  }

  visitCall(call) {
    for (let n = 0; n < binaryen.Call.getNumOperands(call); n++) {
      binaryen.Call.setOperandAt(call, n, this.visit(binaryen.Call.getOperandAt(call, n)));
    }
    return call;
  }

  countArms(expression) {
    const taken = binaryen.If.getIfTrue(expression);
    binaryen.If.setIfTrue(expression, this.before(this.count(), taken));
    const other = binaryen.If.getIfFalse(expression);
    if (other) binaryen.If.setIfFalse(expression, this.before(this.count(), other));
    else if (binaryen.getExpressionType(expression) === binaryen.none) {
      binaryen.If.setIfFalse(expression, this.count());
    }
    return expression;
  }

  /** What follows a branch with a condition. */
  countPassed(expression) {
    const isPlain = binaryen.Break.getCondition(expression) && !binaryen.Break.getValue(expression);
    if (!isPlain) return expression;
    return this.module.block(null, [expression, this.count()], binaryen.none);
  }

  /** A store that is not aligned can reach into a second granule. */
  noteStore(store) {
    const { i32, local } = this.module;
    const ptr = binaryen.Store.getPtr(store);
    if (this.isBelowState(ptr, binaryen.Store.getOffset(store))) return store;
    const address = this.newLocal();
    const get = () => local.get(address, binaryen.i32);
    binaryen.Store.setPtr(store, get());
    const offset = binaryen.Store.getOffset(store);
    const bytes = binaryen.Store.getBytes(store);
    const at = (distance) => (distance ? i32.add(get(), i32.const(distance)) : get());
    const noted = (distance) => this.isNoted(at(distance));
    const isNoted = bytes > 1 ? i32.and(noted(offset), noted(offset + bytes - 1)) : noted(offset);
    const note = this.module.call(this.markRange, [at(offset), i32.const(bytes)], binaryen.none);
    return this.module.block(
      null,
      [local.set(address, ptr), this.module.if(i32.eqz(isNoted), note), store],
      binaryen.none,
    );
  }

  /** The fuzzer's own variables stand at constant addresses. */
  isBelowState(ptr, offset) {
    if (binaryen.getExpressionId(ptr) !== binaryen.ConstId) return false;
    return binaryen.getExpressionInfo(ptr).value + offset < this.places.stateBegin;
  }

  isNoted(address) {
    const { i32 } = this.module;
    return i32.load8_u(this.places.dirtyMap, 1, i32.shr_u(address, i32.const(this.places.granuleShift)));
  }

  noteRange(expression, kind) {
    const { local } = this.module;
    const to = this.newLocal();
    const bytes = this.newLocal();
    const set = [local.set(to, kind.getDest(expression)), local.set(bytes, kind.getSize(expression))];
    const get = (index) => local.get(index, binaryen.i32);
    kind.setDest(expression, get(to));
    kind.setSize(expression, get(bytes));
    const note = this.module.call(this.markRange, [get(to), get(bytes)], binaryen.none);
    return this.module.block(null, [...set, note, expression], binaryen.none);
  }
}

const { MutableGlobals, SignExt, NontrappingFPToInt, BulkMemory, BulkMemoryOpt } = binaryen.Features;
/** What the compiler uses where nothing else is enabled. */
const features = MutableGlobals | SignExt | NontrappingFPToInt | BulkMemory | (BulkMemoryOpt ?? 0);

/** The constants that a module exports. */
function placesOf(bytes) {
  const memory = new WebAssembly.Memory({ initial: 64 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return {
    stateBegin: exports.fuzzStateBegin.value,
    fuel: exports.fuzzFuel.value,
    edges: exports.fuzzEdges.value,
    edgesMax: exports.fuzzEdgesMax.value,
    dirtyMap: exports.fuzzDirtyMap.value,
    granuleShift: exports.fuzzGranuleShift.value,
  };
}

/** @returns {Uint8Array} the module with counters and notes; its export `fuzzEdgeCount` says how many edges there are */
export function instrument(bytes) {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(features);
  try {
    const pass = new Pass(module, placesOf(bytes));
    pass.run();
    module.addGlobal('fuzzEdgeCount', binaryen.i32, false, module.i32.const(pass.edges));
    module.addGlobalExport('fuzzEdgeCount', 'fuzzEdgeCount');
    if (!module.validate()) throw new Error('the instrumented module is not valid');
    binaryen.setOptimizeLevel(2);
    binaryen.setShrinkLevel(0);
    binaryen.setDebugInfo(true);
    module.runPasses(['simplify-locals', 'coalesce-locals', 'vacuum', 'reorder-locals']);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
