import fc from 'fast-check';

// The same sequences in every run, so that a failure belongs to a change; GICV4_SEED looks elsewhere.
fc.configureGlobal({ seed: Number(process.env.GICV4_SEED ?? 1) });
