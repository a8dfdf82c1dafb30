// Settings of this process that Swift's view of the C library lacks.
#define _GNU_SOURCE
#include "CPlatform.h"
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/prctl.h>

void cplatform_name_process(const char *name) { prctl(PR_SET_NAME, name); }

void cplatform_give_threads_stacks(size_t size) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return;
  if (pthread_attr_setstacksize(&attributes, size) == 0) pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
}

void cplatform_share_one_heap(void) { mallopt(M_ARENA_MAX, 1); }

int cplatform_reserve_blocks(int descriptor, long length) {
  return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, length);
}
