/** Fuzzing of the engine: a plain function for any fuzzer, and a campaign of its own. Node only. */

export { Campaign, type CampaignOptions, type Crash } from './campaign.ts';
export { type FailureKind, FuzzFailure } from './failure.ts';
export { Fuzzer, fuzzArchitectures } from './fuzzer.ts';
export { createFuzzer } from './load.ts';
export { type FuzzMeasurement, measureFuzzing } from './measure.ts';
export { minimize } from './minimize.ts';
export { FuzzTarget } from './target.ts';
