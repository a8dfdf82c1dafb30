// What has to happen before any library's own beginnings run.
//
// OpenBLAS starts its threads while it is loaded, and each of them takes 128 MiB of addresses; where
// `ulimit -v` grants fewer it tries again for ever, deaf to every signal but SIGKILL. This program
// shares the work out itself and wants no thread of it. So under such a limit the program executes
// itself once more, with OPENBLAS_NUM_THREADS=1, before OpenBLAS has begun: the same process, the same
// arguments, the same open files. (A variable set here would be lost: libc takes its environment later.)
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char variable[] = "OPENBLAS_NUM_THREADS=";
static char setting[] = "OPENBLAS_NUM_THREADS=1";

static int is_limited(int resource) {
  struct rlimit limit;
  return getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

// Where a thread is refused to it (`ulimit -u`), OpenBLAS raises SIGINT.
static int grants_few_threads(void) {
  struct rlimit limit;
  return getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur < 1024;
}

static void begin(int count, char **arguments, char **environment) {
  (void)count;
  if (!is_limited(RLIMIT_AS) && !is_limited(RLIMIT_DATA) && !grants_few_threads()) return;
  size_t entries = 0;
  while (environment[entries]) {
    if (strcmp(environment[entries], setting) == 0) return;
    entries++;
  }
  char **changed = malloc((entries + 2) * sizeof *changed);
  if (!changed) return;
  size_t kept = 0;
  for (size_t entry = 0; entry < entries; entry++)
    if (strncmp(environment[entry], variable, sizeof variable - 1) != 0)
      changed[kept++] = environment[entry];
  changed[kept++] = setting;
  changed[kept] = NULL;
  execve("/proc/self/exe", arguments, changed);
  free(changed);
}

__attribute__((section(".preinit_array"), used, retain)) static void (*const beginning)(
    int, char **, char **) = begin;
