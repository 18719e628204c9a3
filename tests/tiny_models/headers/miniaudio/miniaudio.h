// Stands in for miniaudio where Ollama is built for our tests: it opens no sound, so every sound is refused.
#pragma once
#include <cstddef>
#include <cstdint>

using ma_uint64 = std::uint64_t;
enum ma_result { MA_SUCCESS = 0, MA_NOT_IMPLEMENTED = -29 };
enum { ma_format_f32, ma_encoding_format_wav };
struct ma_decoder {};
struct ma_decoder_config {};
struct ma_encoder {};
struct ma_encoder_config {};

inline ma_decoder_config ma_decoder_config_init(int, int, int) { return {}; }
inline ma_encoder_config ma_encoder_config_init(int, int, int, int) { return {}; }
inline ma_result ma_decoder_init_memory(const void *, std::size_t, const ma_decoder_config *, ma_decoder *) {
  return MA_NOT_IMPLEMENTED;
}
inline ma_result ma_decoder_get_length_in_pcm_frames(ma_decoder *, ma_uint64 *) { return MA_NOT_IMPLEMENTED; }
inline ma_result ma_decoder_read_pcm_frames(ma_decoder *, void *, ma_uint64, ma_uint64 *) { return MA_NOT_IMPLEMENTED; }
inline void ma_decoder_uninit(ma_decoder *) {}
