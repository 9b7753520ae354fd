/** Compresses with gzip, by what Node and browsers have in common. */
export async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  return through(bytes, new CompressionStream('gzip'));
}

/** Throws what the stream throws for anything that is not gzip data, whole and with the right checksum. */
export async function decompress(bytes: Uint8Array): Promise<Uint8Array> {
  return through(bytes, new DecompressionStream('gzip'));
}

async function through(bytes: Uint8Array, stream: GenericTransformStream): Promise<Uint8Array> {
  // A copy: neither side takes views of shared memory.
  const input = new Blob([new Uint8Array(bytes)]).stream();
  return new Uint8Array(await new Response(input.pipeThrough(stream as ReadableWritablePair)).arrayBuffer());
}
