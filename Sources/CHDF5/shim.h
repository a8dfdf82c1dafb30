// What Swift cannot import from HDF5: macros that call H5open() or name mutable globals.
#ifndef CHDF5_SHIM_H
#define CHDF5_SHIM_H

// Later releases of the library offer the names of 1.10 when asked.
#define H5_USE_110_API
#include <hdf5.h>
#include <string.h>
#include <sys/types.h>

static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }
static inline hid_t chdf5_whole_dataspace(void) { return H5S_ALL; }

static inline unsigned chdf5_open_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned chdf5_create_truncating(void) { return H5F_ACC_TRUNC; }

static inline hid_t chdf5_class_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_class_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_class_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t chdf5_class_dataset_create(void) { return H5P_DATASET_CREATE; }

static inline hid_t chdf5_memory_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t chdf5_memory_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t chdf5_memory_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t chdf5_memory_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t chdf5_file_float(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_file_double(void) { return H5T_IEEE_F64LE; }
static inline hid_t chdf5_file_int64(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_file_uint64(void) { return H5T_STD_U64LE; }
static inline hid_t chdf5_c_string(void) { return H5T_C_S1; }

// The library prints its errors to stderr unless told otherwise; the setting belongs to a thread.
static inline void chdf5_silence_errors(void) { (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

// The innermost message of the calling thread's error stack, or an empty string.
static inline herr_t chdf5_copy_first_error(unsigned position, const H5E_error2_t *error,
                                            void *message) {
  if (position == 0 && error->desc) strncpy((char *)message, error->desc, 1023);
  return 0;
}
static inline void chdf5_innermost_error(char message[1024]) {
  memset(message, 0, 1024);
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, chdf5_copy_first_error, message);
}

// Calls `visit` with the name of every hard link in `group`, in no particular order: for an order
// the library (1.10.8) makes a table, and crashes where damage ends its filling. Here, as the
// iteration's name is a macro in later releases.
typedef void (*chdf5_visit_name)(void *context, const char *name);
typedef struct {
  chdf5_visit_name visit;
  void *context;
} chdf5_visitor;
static inline herr_t chdf5_visit_if_hard(hid_t group, const char *name, const H5L_info_t *link,
                                         void *visitor) {
  (void)group;
  const chdf5_visitor *to = (const chdf5_visitor *)visitor;
  if (link->type == H5L_TYPE_HARD) to->visit(to->context, name);
  return 0;
}
static inline herr_t chdf5_visit_hard_links(hid_t group, chdf5_visit_name visit, void *context) {
  chdf5_visitor visitor = {visit, context};
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, chdf5_visit_if_hard, &visitor);
}

#endif
