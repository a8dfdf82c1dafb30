// Which vector instructions the program was built for and which the processor has.
//
// A constructor compares the two before main and before any Swift code runs, because a program
// built for a better processor would otherwise die of an illegal instruction without a word.
// Everything here is compiled for the plainest x86-64 so that it runs anywhere.
#define _GNU_SOURCE
#include "CPlatform.h"
#include <sched.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)

// Each feature: its name as the compiler knows it, and whether this build relies on it.
#if defined(__AVX2__)
#define BUILT_AVX2 1
#else
#define BUILT_AVX2 0
#endif
#if defined(__FMA__)
#define BUILT_FMA 1
#else
#define BUILT_FMA 0
#endif
#if defined(__AVX512F__)
#define BUILT_AVX512F 1
#else
#define BUILT_AVX512F 0
#endif
#if defined(__AVX512BW__)
#define BUILT_AVX512BW 1
#else
#define BUILT_AVX512BW 0
#endif
#if defined(__AVX512DQ__)
#define BUILT_AVX512DQ 1
#else
#define BUILT_AVX512DQ 0
#endif
#if defined(__AVX512VL__)
#define BUILT_AVX512VL 1
#else
#define BUILT_AVX512VL 0
#endif
#if defined(__AVX512VNNI__)
#define BUILT_AVX512VNNI 1
#else
#define BUILT_AVX512VNNI 0
#endif
#if defined(__AVX512BF16__)
#define BUILT_AVX512BF16 1
#else
#define BUILT_AVX512BF16 0
#endif

#if defined(__AVX512FP16__)
#define BUILT_AVX512FP16 1
#else
#define BUILT_AVX512FP16 0
#endif

#define FEATURES(use)                                                                              \
  use("avx2", BUILT_AVX2) use("fma", BUILT_FMA) use("avx512f", BUILT_AVX512F)                      \
      use("avx512bw", BUILT_AVX512BW) use("avx512dq", BUILT_AVX512DQ)                              \
          use("avx512vl", BUILT_AVX512VL) use("avx512vnni", BUILT_AVX512VNNI)                      \
              use("avx512bf16", BUILT_AVX512BF16)                      \
                  use("avx512fp16", BUILT_AVX512FP16)

#pragma clang attribute push(__attribute__((target("arch=x86-64"))), apply_to = function)

static void append(char *list, const char *name) {
  if (list[0]) strcat(list, " ");
  strcat(list, name);
}

static char processor_features[128], built_features[128], missing_features[128];

__attribute__((constructor(101))) static void check_processor(void) {
  __builtin_cpu_init();
#define COLLECT(name, built)                                                                       \
  if (__builtin_cpu_supports(name)) append(processor_features, name);                              \
  if (built) append(built_features, name);                                                         \
  if (built && !__builtin_cpu_supports(name)) append(missing_features, name);
  FEATURES(COLLECT)
  if (!missing_features[0]) return;
  char message[512] = "error: this program was built for a processor with: ";
  strcat(message, missing_features);
  strcat(message,
         "; this one has not.\nBuild it here (make build), or for a plainer processor: "
         "BLIP2_MARCH=x86-64-v3 make build (or x86-64-v2).\n");
  ssize_t ignored = write(2, message, strlen(message));
  (void)ignored;
  _exit(78);
}

const char *cplatform_processor_features(void) { return processor_features; }
const char *cplatform_built_features(void) { return built_features; }

#pragma clang attribute pop

#else
const char *cplatform_processor_features(void) { return ""; }
const char *cplatform_built_features(void) { return ""; }
#endif

int cplatform_available_processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  int count = CPU_COUNT(&set);
  return count > 0 ? count : 1;
}
