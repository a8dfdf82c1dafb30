#pragma once

/// What Swift cannot say itself: a spin-wait hint and questions to the processor.

static inline void cplatform_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Sixteen float32 lanes: Swift's SIMD16<Float>.
typedef float cplatform_lanes __attribute__((ext_vector_type(16)));

/// The square root of each lane, which Swift computes one by one.
static inline __attribute__((always_inline)) cplatform_lanes cplatform_square_roots(
    cplatform_lanes x) {
  return __builtin_elementwise_sqrt(x);
}

/// Asks for memory that will be read soon; any address is allowed.
static inline __attribute__((always_inline)) void cplatform_prefetch(const void *place) {
  __builtin_prefetch(place);
}

/// The names, separated by blanks, of the vector instruction sets that the processor has.
const char *cplatform_processor_features(void);

/// The names of the vector instruction sets that this program was built for.
const char *cplatform_built_features(void);

/// How many processors this process may run on; at least 1.
int cplatform_available_processors(void);
