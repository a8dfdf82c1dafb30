#include "csentencepiece.h"

#include <sentencepiece_processor.h>

#include <cstring>
#include <exception>
#include <string_view>
#include <vector>

struct csentencepiece_model {
  sentencepiece::SentencePieceProcessor processor;
};

static void copy_message(const char *text, char *message, size_t capacity) {
  if (capacity == 0) return;
  std::strncpy(message, text, capacity - 1);
  message[capacity - 1] = 0;
}

csentencepiece_model *csentencepiece_load(const void *bytes, size_t count, char *message,
                                          size_t capacity) {
  csentencepiece_model *model = nullptr;
  try {
    model = new csentencepiece_model;
    const std::string_view serialized(static_cast<const char *>(bytes), count);
    const auto status = model->processor.LoadFromSerializedProto(serialized);
    if (status.ok()) return model;
    copy_message(status.ToString().c_str(), message, capacity);
  } catch (const std::exception &error) {
    copy_message(error.what(), message, capacity);
  } catch (...) {
    copy_message("an unknown exception", message, capacity);
  }
  delete model;
  return nullptr;
}

void csentencepiece_free(csentencepiece_model *model) { delete model; }

int32_t csentencepiece_piece_count(const csentencepiece_model *model) {
  return model->processor.GetPieceSize();
}

int csentencepiece_encode(const csentencepiece_model *model, const char *text, size_t count,
                          csentencepiece_receive_ids receive, void *context) {
  try {
    std::vector<int> ids;
    if (!model->processor.Encode(std::string_view(text, count), &ids).ok()) return 0;
    receive(context, ids.data(), ids.size());
    return 1;
  } catch (...) {
    return 0;
  }
}
