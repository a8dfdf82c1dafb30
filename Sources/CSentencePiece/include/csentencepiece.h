#pragma once

// The sentencepiece library for Swift, which does not see C++: no exception and no status object
// crosses this line.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csentencepiece_model csentencepiece_model;

/// The model in `bytes`, a serialised ModelProto; NULL where the library refuses it, with what it
/// says in `message`, of `capacity` bytes and ended by zero.
csentencepiece_model *csentencepiece_load(const void *bytes, size_t count, char *message,
                                          size_t capacity);

void csentencepiece_free(csentencepiece_model *model);

/// The number of pieces.
int32_t csentencepiece_piece_count(const csentencepiece_model *model);

/// Hands the ids of a text, `count` bytes of UTF-8, to `receive`, once. Returns whether the library
/// could cut it. Any number of threads may call it with the same model.
typedef void (*csentencepiece_receive_ids)(void *context, const int *ids, size_t count);
int csentencepiece_encode(const csentencepiece_model *model, const char *text, size_t count,
                          csentencepiece_receive_ids receive, void *context);

#ifdef __cplusplus
}
#endif
