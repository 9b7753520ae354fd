// Edge counters. Only a condition tells anything that is not known before: each of its two ways is counted, and each
// case of a `switch`. A way that leads to the next condition without a chance to leave is not, as one of that one's ways
// is taken then: the entry of a function, the header of a loop and what follows an `if` need no counters of their own.
// They count, rather than mark, because how often tells states apart that are far from the start: without it campaigns
// take many times as long to defects that need several steps.
import binaryen from 'binaryen';
import { eachPart, eachWithin, partsOf, sequence } from './tree.mjs';

const { If } = binaryen;

/** What becomes of whoever performs an expression. */
const PASSES = 0;
/** May leave the sequence that it stands in, and is not counted. */
const LEAVES = 1;
/** Is counted. */
const COUNTED = 2;

export class Edges {
  count = 0;
  #module;
  #places;
  /** Blocks whose ends the cases of a `switch` begin at. */
  #cases = new Set();

  constructor(module, places) {
    this.#module = module;
    this.#places = places;
  }

  instrument(fn) {
    const { body } = binaryen.getFunctionInfo(fn);
    this.#cases.clear();
    eachWithin(body, (expression) => {
      if (binaryen.getExpressionId(expression) !== binaryen.SwitchId) return;
      const { names, defaultName } = binaryen.getExpressionInfo(expression);
      for (const name of [...names, defaultName]) this.#cases.add(name);
    });
    binaryen.Function.setBody(fn, this.#visit(body));
  }

  /** Counts an edge. */
  #counter() {
    if (this.count === this.#places.edgesMax) throw new Error(`there is room for ${this.count} edges`);
    const { i32 } = this.#module;
    const place = this.#places.edges + this.count++;
    return i32.store8(place, 1, i32.const(0), i32.add(i32.load8_u(place, 1, i32.const(0)), i32.const(1)));
  }

  /** What takes the place of an expression. */
  #visit(expression) {
    const id = binaryen.getExpressionId(expression);
    if (id === binaryen.BlockId) return this.#visitBlock(expression);
    // Asked of the expression as it was compiled.
    const ways = id === binaryen.IfId && [
      this.#fate(If.getIfTrue(expression)),
      this.#fate(If.getIfFalse(expression)),
    ];
    eachPart(expression, (part, replace) => replace(this.#visit(part)));
    if (ways) return this.#countArms(expression, ways);
    if (id === binaryen.BreakId) return this.#countBranch(expression);
    return expression;
  }

  /** A case begins where a block ends, unless what follows in the same sequence is counted. */
  #visitBlock(block) {
    const children = partsOf(block);
    const fates = children.map((child) => this.#fate(child));
    let inserted = 0;
    children.forEach((child, n) => {
      const isCase =
        binaryen.getExpressionId(child) === binaryen.BlockId &&
        this.#cases.has(binaryen.Block.getName(child));
      const visited = this.#visit(child);
      binaryen.Block.setChildAt(block, n + inserted, visited);
      if (
        isCase &&
        binaryen.getExpressionType(child) === binaryen.none &&
        fateOf(fates.slice(n + 1)) !== COUNTED
      ) {
        binaryen.Block.insertChildAt(block, n + 1 + inserted++, this.#counter());
      }
    });
    return block;
  }

  #countArms(expression, [ifTrue, ifFalse]) {
    const taken = If.getIfTrue(expression);
    if (ifTrue !== COUNTED) If.setIfTrue(expression, sequence(this.#module, this.#counter(), taken));
    const other = If.getIfFalse(expression);
    if (!other) If.setIfFalse(expression, this.#counter());
    else if (ifFalse !== COUNTED) If.setIfFalse(expression, sequence(this.#module, this.#counter(), other));
    return expression;
  }

  /** A branch with a condition: taken, and not taken. */
  #countBranch(expression) {
    const condition = binaryen.Break.getCondition(expression);
    if (!condition || binaryen.Break.getValue(expression)) return expression;
    const branch = this.#module.br(binaryen.Break.getName(expression));
    return this.#module.if(
      condition,
      this.#module.block(null, [this.#counter(), branch], binaryen.unreachable),
      this.#counter(),
    );
  }

  #fate(expression) {
    if (!expression) return PASSES;
    const before = fateOf(partsToBegin(expression).map((part) => this.#fate(part)));
    if (before !== PASSES) return before;
    switch (binaryen.getExpressionId(expression)) {
      case binaryen.IfId:
        return COUNTED;
      case binaryen.BreakId:
        return binaryen.Break.getCondition(expression) && !binaryen.Break.getValue(expression)
          ? COUNTED
          : LEAVES;
      case binaryen.SwitchId:
      case binaryen.ReturnId:
      case binaryen.UnreachableId:
        return LEAVES;
      default:
        return PASSES;
    }
  }
}

/** The first that is not PASSES. */
function fateOf(fates) {
  return fates.find((fate) => fate !== PASSES) ?? PASSES;
}

/** What is performed whenever an expression is. */
function partsToBegin(expression) {
  return binaryen.getExpressionId(expression) === binaryen.IfId
    ? [If.getCondition(expression)]
    : partsOf(expression);
}
