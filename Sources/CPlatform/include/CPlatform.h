#pragma once

/// What Swift cannot say itself: a spin-wait hint and questions to the processor.

static inline void cplatform_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// The names, separated by blanks, of the vector instruction sets that the processor has.
const char *cplatform_processor_features(void);

/// The names of the vector instruction sets that this program was built for.
const char *cplatform_built_features(void);

/// How many processors this process may run on; at least 1.
int cplatform_available_processors(void);
