from libc.stdint cimport int16_t, uint8_t, uint16_t, uint32_t, uint64_t

from .c_dtmf cimport ax_tone


cdef extern from "ax/leg.h" nogil:
    enum:
        AX_LEG_PCM, AX_LEG_PCMU, AX_LEG_PCMA, AX_LEG_G722, AX_LEG_G726, AX_LEG_L16

    struct ax_leg_spec:
        uint32_t rate, codec, codec_rate, packet_ms, min_delay_ms, max_delay_ms
        bint keys

    struct ax_leg_packet:
        const uint8_t *payload
        uint32_t size, ssrc, timestamp
        uint16_t sequence
        bint marker

    struct ax_leg_stats:
        uint64_t offered, refused, late, lost, concealed_ms, stretched, underruns, made, dropped
        uint32_t delay_ms, held

    struct ax_leg:
        pass

    int ax_leg_new(ax_leg **out, const ax_leg_spec *spec)
    void ax_leg_free(ax_leg *l)
    uint32_t ax_leg_codec_rate(const ax_leg *l)
    uint32_t ax_leg_clock(const ax_leg *l)
    uint32_t ax_leg_ticks(const ax_leg *l)
    uint32_t ax_leg_most(const ax_leg *l)
    int ax_leg_offer(ax_leg *l, const ax_leg_packet *packet, uint64_t arrived_ns)
    int ax_leg_take(ax_leg *l, uint32_t *timestamp, uint8_t *out, size_t room)


cdef extern from "ax/pipeline.h" nogil:
    enum:
        AX_PIPELINE_LEGS, AX_PIPELINE_PLAYS, AX_PIPELINE_SPEAKER
        AX_PIPELINE_LEG, AX_PIPELINE_SET_LEG, AX_PIPELINE_PLAY, AX_PIPELINE_SPEAKER_GAIN, AX_PIPELINE_MICROPHONE
        AX_PIPELINE_THRESHOLD, AX_PIPELINE_RESET

    struct ax_pipeline_spec:
        uint32_t rate, echo, tail_ms
        float max_attenuation_db
        bint gain_control
        float target_db
        bint volume_control
        float quiet_db, threshold
        uint32_t untold

    struct ax_pipeline_command:
        uint32_t verb, index
        ax_leg *leg
        const ax_tone *tone
        const int16_t *samples
        size_t n
        uint32_t repeat, to
        float gain
        bint conference, mute

    struct ax_pipeline_event_t "ax_pipeline_event":
        uint64_t t_ns, serial
        uint32_t kind, index, value
        char key

    struct ax_pipeline_stats:
        uint64_t steps, events_lost
        float mic_db, near_db, speaker_db, level, erle_db, echo_delay_ms, drift_ppm, gain_db, volume_db, noise_db
        uint32_t talking, legs
        ax_leg_stats leg[6]

    struct ax_pipeline:
        pass

    int ax_pipeline_new(ax_pipeline **out, const ax_pipeline_spec *spec)
    void ax_pipeline_free(ax_pipeline *p)
    uint32_t ax_pipeline_frame(const ax_pipeline *p)
    uint32_t ax_pipeline_near_latency(const ax_pipeline *p)
    uint32_t ax_pipeline_far_latency(const ax_pipeline *p)
    int ax_pipeline_put(ax_pipeline *p, const ax_pipeline_command *command, uint64_t *serial)
    uint64_t ax_pipeline_done(const ax_pipeline *p)
    uint64_t ax_pipeline_playing(const ax_pipeline *p, uint32_t index)
    int ax_pipeline_event(ax_pipeline *p, ax_pipeline_event_t *out)
    int ax_pipeline_step(ax_pipeline *p, uint64_t now_ns, const int16_t *mic, int16_t *speaker)
    void ax_pipeline_get(const ax_pipeline *p, ax_pipeline_stats *out)


cdef extern from "ax/room.h" nogil:
    struct ax_room_spec:
        uint32_t rate, curve, rt60_ms, seed
        const float *response
        size_t taps

    struct ax_room:
        pass

    int ax_room_new(ax_room **out, const ax_room_spec *spec)
    void ax_room_free(ax_room *r)
    uint32_t ax_room_frame(const ax_room *r)
    int ax_room_set(ax_room *r, int part, float value)
    int ax_room_step(ax_room *r, const int16_t *speaker, const int16_t *talker, int16_t *mic)
