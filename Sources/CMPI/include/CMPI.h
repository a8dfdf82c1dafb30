#pragma once
#include <stdint.h>

/// The few functions of MPI that are needed, of a library that is opened at run time: no MPI is needed to
/// build, and one program serves Open MPI, MPICH with all that share its binary interface (Intel MPI,
/// MVAPICH, Cray MPICH), and libraries with the standard's own (MPI 5). All but the first are for one
/// thread. What fails within the library ends the process with the library's own message.

/// A message under way. Open MPI's handles are pointers, MPICH's are ints.
typedef struct {
  uintptr_t handle;
} cmpi_request;

/// Opens a library. Returns null, or why it cannot be used; that text stays until the next call.
const char *cmpi_open(const char *file);

/// Joins the processes that a launcher started; the thread that calls it is the one for all that follows.
/// Returns 0, or an error's number.
int cmpi_initialise(void);
int cmpi_finalise(void);

/// Which process this is, and how many there are.
int cmpi_rank(void);
int cmpi_count(void);

/// The library's own words, ended by a zero, at most so many bytes with it.
void cmpi_describe_library(char *text, int capacity);

/// Begin to send bytes to a process and to receive them from one. Returns 0, or an error's number.
int cmpi_send(const void *bytes, int count, int rank, int tag, cmpi_request *request);
int cmpi_receive(void *bytes, int count, int rank, int tag, cmpi_request *request);

/// Whether a message has been sent or received; furthers all that are under way.
int cmpi_is_done(cmpi_request *request);
