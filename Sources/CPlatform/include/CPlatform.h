#pragma once
#include <stddef.h>

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

/// Adds to each lane the two products of its pair of bfloat16 numbers, the lower half first in memory.
static inline __attribute__((always_inline)) cplatform_lanes cplatform_add_pair_products(
    cplatform_lanes sum, cplatform_lanes a, cplatform_lanes b) {
#if defined(__AVX512BF16__)
  typedef __bf16 pairs __attribute__((vector_size(64)));
  typedef float lanes __attribute__((vector_size(64)));
  return (cplatform_lanes)__builtin_ia32_dpbf16ps_512((lanes)sum, (pairs)a, (pairs)b);
#else
  typedef unsigned bits __attribute__((ext_vector_type(16)));
  bits x = (bits)a, y = (bits)b;
  sum += (cplatform_lanes)(x << 16) * (cplatform_lanes)(y << 16);
  return sum + (cplatform_lanes)(x & 0xffff0000u) * (cplatform_lanes)(y & 0xffff0000u);
#endif
}

/// Sixteen halves of lanes: Swift's SIMD16<UInt16>.
typedef unsigned short cplatform_halves __attribute__((ext_vector_type(16)));

/// The lanes as bfloat16, to the nearest and ties to even; numbers too small to be normal become zero
/// where one instruction does it.
static inline __attribute__((always_inline)) cplatform_halves cplatform_rounded(cplatform_lanes x) {
#if defined(__AVX512BF16__)
  typedef __bf16 numbers __attribute__((ext_vector_type(16)));
  return (cplatform_halves)__builtin_convertvector(x, numbers);
#else
  typedef unsigned bits __attribute__((ext_vector_type(16)));
  bits y = (bits)x;
  return __builtin_convertvector((y + 0x7fff + ((y >> 16) & 1)) >> 16, cplatform_halves);
#endif
}

/// Whether pair products are one instruction.
static inline int cplatform_has_pair_products(void) {
#if defined(__AVX512BF16__)
  return 1;
#else
  return 0;
#endif
}

/// Sixteen int32 lanes: Swift's SIMD16<Int32>.
typedef int cplatform_integers __attribute__((ext_vector_type(16)));

/// Adds to each lane the four products of its bytes, unsigned in a and signed in b; nothing saturates.
static inline __attribute__((always_inline)) cplatform_integers cplatform_add_quad_products(
    cplatform_integers sum, cplatform_integers a, cplatform_integers b) {
#if defined(__AVX512VNNI__)
  typedef int lanes __attribute__((vector_size(64)));
  return (cplatform_integers)__builtin_ia32_vpdpbusd512((lanes)sum, (lanes)a, (lanes)b);
#else
  typedef unsigned bits __attribute__((ext_vector_type(16)));
  for (int shift = 0; shift < 32; shift += 8) {
    cplatform_integers x = (cplatform_integers)((bits)a >> shift & 0xff);
    cplatform_integers y = (cplatform_integers)((bits)b << (24 - shift)) >> 24;
    sum += x * y;
  }
  return sum;
#endif
}

/// The numbers as float32, to the nearest.
static inline __attribute__((always_inline)) cplatform_lanes cplatform_floats(cplatform_integers x) {
  return __builtin_convertvector(x, cplatform_lanes);
}

/// Sixteen bytes: Swift's SIMD16<UInt8>.
typedef unsigned char cplatform_bytes __attribute__((ext_vector_type(16)));

/// The lowest byte of each lane.
static inline __attribute__((always_inline)) cplatform_bytes cplatform_low_bytes(cplatform_lanes x) {
  typedef unsigned bits __attribute__((ext_vector_type(16)));
  return __builtin_convertvector((bits)x, cplatform_bytes);
}

/// Asks for memory that will be read soon; any address is allowed.
static inline __attribute__((always_inline)) void cplatform_prefetch(const void *place) {
  __builtin_prefetch(place);
}

/// Asks for memory that will be written soon; any address is allowed.
static inline __attribute__((always_inline)) void cplatform_prefetch_for_writing(void *place) {
  __builtin_prefetch(place, 1);
}

/// The names, separated by blanks, of the vector instruction sets that the processor has.
const char *cplatform_processor_features(void);

/// The names of the vector instruction sets that this program was built for.
const char *cplatform_built_features(void);

/// How many processors this process may run on; at least 1.
int cplatform_available_processors(void);

/// Gives the process the name that lists of processes show, at most 15 bytes.
void cplatform_name_process(const char *name);

/// Gives threads that start from here on a stack of so many bytes, where they ask for none themselves.
void cplatform_give_threads_stacks(size_t size);

/// Lets all threads take memory from one heap, where each would otherwise reserve addresses of its own.
void cplatform_share_one_heap(void);

/// Reserves blocks without changing the file's length, a call that Swift's own import hides; an errno is set
/// where the result is not 0.
int cplatform_reserve_blocks(int descriptor, long length);
