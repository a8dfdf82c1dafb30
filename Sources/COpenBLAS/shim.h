#pragma once
#include <cblas.h>

// OpenBLAS's own, which its header leaves out: a work space of a product, from a table of such; one that
// is given back stays mapped, for the next product. Where the system grants no addresses it tries for
// ever.
void *blas_memory_alloc(int position);
void blas_memory_free(void *space);
