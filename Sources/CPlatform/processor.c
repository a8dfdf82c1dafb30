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

// 1 where the compiler defines the macro, which it then does as 1; else 0.
#define IS_DEFINED(macro) IS_ONE(macro)
#define IS_ONE(value) TAKE_SECOND(SHIFT_IF_##value 1, 0)
#define SHIFT_IF_1 0,
#define TAKE_SECOND(...) SECOND(__VA_ARGS__, 0)
#define SECOND(first, second, ...) second

// Each feature: its name as the compiler knows it, and whether this build relies on it.
#define FEATURES(use)                                                                              \
  use("avx2", IS_DEFINED(__AVX2__)) use("fma", IS_DEFINED(__FMA__))                                \
      use("avx512f", IS_DEFINED(__AVX512F__)) use("avx512bw", IS_DEFINED(__AVX512BW__))            \
          use("avx512dq", IS_DEFINED(__AVX512DQ__)) use("avx512vl", IS_DEFINED(__AVX512VL__))      \
              use("avx512vnni", IS_DEFINED(__AVX512VNNI__))                                        \
                  use("avx512bf16", IS_DEFINED(__AVX512BF16__))                                    \
                      use("avx512fp16", IS_DEFINED(__AVX512FP16__))

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
