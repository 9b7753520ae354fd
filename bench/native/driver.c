/*
 * Plays recorded accesses on the engine as wasm2c translates it: what the bench does in V8, without V8.
 *
 *   driver IMAGE verify N     N rounds from the image on; prints the checksum of the results and the state's digest
 *   driver IMAGE time MS      rounds for MS milliseconds; prints the median nanoseconds of a round's timed part
 *
 * IMAGE: little-endian words of 32 bits: pages of memory (64 KiB), accesses timed, accesses before each time, where both
 * lists stand, number of runs; for each run its first page (4 KiB) and its pages, then the contents.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "engine.h"

#define WARM_UP_ROUNDS 8
#define SAMPLES_MAX 65536
#define RESERVED_BYTES (8ull << 30)

struct Z_env_instance_t {
  wasm_rt_memory_t memory;
};

static struct Z_env_instance_t env;
static Z_engine_instance_t engine;
static uint32_t run_at, run_count, reset_at, reset_count;
static double samples[SAMPLES_MAX];

wasm_rt_memory_t *Z_envZ_memory(struct Z_env_instance_t *instance) { return &instance->memory; }

static void fail(const char *what) {
  fprintf(stderr, "driver: %s\n", what);
  exit(1);
}

static uint32_t word(FILE *file) {
  uint32_t value;
  if (fread(&value, sizeof value, 1, file) != 1) fail("the image is cut off");
  return value;
}

/** Memory at a known address, with all that a 32-bit address and offset can reach beyond it out of bounds. */
static void make_memory(uint32_t pages) {
  void *base = (void *)MEMORY_BASE;
  size_t bytes = (size_t)pages << 16;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE;
  if (mmap(base, RESERVED_BYTES, PROT_NONE, flags, -1, 0) != base) fail("no room for the memory");
  if (mprotect(base, bytes, PROT_READ | PROT_WRITE) != 0) fail("no memory");
  env.memory = (wasm_rt_memory_t){.data = base, .pages = pages, .max_pages = pages, .size = bytes};
}

static void load_image(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) fail("no image");
  uint32_t pages = word(file);
  run_count = word(file);
  reset_count = word(file);
  run_at = word(file);
  reset_at = word(file);
  uint32_t runs = word(file);
  make_memory(pages);
  for (uint32_t n = 0; n < runs; n++) {
    uint64_t at = (uint64_t)word(file) << 12;
    uint64_t bytes = (uint64_t)word(file) << 12;
    if (at + bytes > env.memory.size) fail("a run is outside of memory");
    if (fread(env.memory.data + at, 1, bytes, file) != bytes) fail("the image is cut off");
  }
  fclose(file);
}

static uint32_t reset(void) { return Z_engineZ_play(&engine, reset_at, reset_count); }
static uint32_t run(void) { return Z_engineZ_play(&engine, run_at, run_count); }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static double median_of_rounds(double milliseconds) {
  for (int n = 0; n < WARM_UP_ROUNDS; n++) reset(), run();
  double end = now() + milliseconds * 1e6;
  int count = 0;
  while (count < SAMPLES_MAX && (count < 5 || now() < end)) {
    reset();
    double start = now();
    run();
    samples[count++] = now() - start;
  }
  qsort(samples, count, sizeof *samples, ascending);
  return samples[count / 2];
}

int main(int argc, char **argv) {
  if (argc != 4) fail("usage: driver IMAGE verify N | driver IMAGE time MS");
  wasm_rt_init();
  Z_engine_init_module();
  load_image(argv[1]);
  Z_engine_instantiate(&engine, &env);
  double amount = atof(argv[3]);
  if (strcmp(argv[2], "time") == 0) {
    printf("%.1f\n", median_of_rounds(amount));
  } else {
    uint32_t sum = 0;
    for (int n = 0; n < (int)amount; n++) {
      reset();
      sum = run();
    }
    printf("%u %u\n", sum, Z_engineZ_stateDigest(&engine));
  }
  return 0;
}
