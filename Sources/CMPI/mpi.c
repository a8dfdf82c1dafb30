// MPI without its header. A handle is passed as a word: a pointer fills it, and of an int the library reads
// the lower half, as every calling convention of 64-bit Linux has it.
#define _GNU_SOURCE
#include "CMPI.h"
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

typedef uintptr_t handle;

/// What differs from one binary interface to another.
typedef struct {
  handle world, byte;
  /// MPI_THREAD_FUNNELED.
  int one_thread;
  /// MPI_STATUS_IGNORE.
  uintptr_t no_status;
} constants;

static const constants mpich = {0x44000000, 0x4c00010d, 1, 1};
static const constants standard = {0x101, 0x247, 1024, 0};
static constants own;

static struct {
  int (*init_thread)(int *, char ***, int, int *);
  int (*finalize)(void);
  int (*comm_rank)(handle, int *);
  int (*comm_size)(handle, int *);
  int (*get_library_version)(char *, int *);
  int (*isend)(const void *, int, handle, int, int, handle, cmpi_request *);
  int (*irecv)(void *, int, handle, int, int, handle, cmpi_request *);
  int (*test)(cmpi_request *, int *, uintptr_t);
} mpi;

static char library_version[8192];

static int is_of_standard(void *library) {
  struct link_map *map;
  return dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && strstr(map->l_name, "libmpi_abi");
}

static const char *find_constants(void *library) {
  void *world = dlsym(library, "ompi_mpi_comm_world");
  void *byte = dlsym(library, "ompi_mpi_byte");
  int length;
  mpi.get_library_version(library_version, &length);
  if (is_of_standard(library)) {
    own = standard;
  } else if (world && byte) {
    own = (constants){(handle)world, (handle)byte, 1, 0};
  } else if (strstr(library_version, "MPICH") || strstr(library_version, "Intel") ||
             strstr(library_version, "MVAPICH")) {
    own = mpich;
  } else {
    return "it is neither Open MPI, nor MPICH or one of its kin, nor has it the standard's own "
           "binary interface (libmpi_abi.so.1)";
  }
  return NULL;
}

const char *cmpi_open(const char *file) {
  static char problem[256];
  void *library = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
  if (!library) return dlerror();
  struct {
    const char *name;
    void *place;
  } functions[] = {
      {"MPI_Init_thread", &mpi.init_thread},
      {"MPI_Finalize", &mpi.finalize},
      {"MPI_Comm_rank", &mpi.comm_rank},
      {"MPI_Comm_size", &mpi.comm_size},
      {"MPI_Get_library_version", &mpi.get_library_version},
      {"MPI_Isend", &mpi.isend},
      {"MPI_Irecv", &mpi.irecv},
      {"MPI_Test", &mpi.test},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    void *function = dlsym(library, functions[i].name);
    if (!function) {
      snprintf(problem, sizeof problem, "it has no %s", functions[i].name);
      return problem;
    }
    memcpy(functions[i].place, &function, sizeof function);
  }
  return find_constants(library);
}

int cmpi_initialise(void) {
  int provided = 0;
  return mpi.init_thread(NULL, NULL, own.one_thread, &provided);
}

int cmpi_finalise(void) { return mpi.finalize(); }

int cmpi_rank(void) {
  int rank = 0;
  mpi.comm_rank(own.world, &rank);
  return rank;
}

int cmpi_count(void) {
  int count = 0;
  mpi.comm_size(own.world, &count);
  return count;
}

void cmpi_describe_library(char *text, int capacity) {
  snprintf(text, (size_t)capacity, "%s", library_version);
}

int cmpi_send(const void *bytes, int count, int rank, int tag, cmpi_request *request) {
  return mpi.isend(bytes, count, own.byte, rank, tag, own.world, request);
}

int cmpi_receive(void *bytes, int count, int rank, int tag, cmpi_request *request) {
  return mpi.irecv(bytes, count, own.byte, rank, tag, own.world, request);
}

int cmpi_is_done(cmpi_request *request) {
  int done = 0;
  return mpi.test(request, &done, own.no_status) == 0 && done;
}
