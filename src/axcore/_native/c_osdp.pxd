from libc.stdint cimport uint8_t, uint16_t, uint32_t


cdef extern from "ax/osdp_crc.h" nogil:
    const int AX_OSDP_CRC_INIT
    uint16_t ax_osdp_crc(uint16_t crc, const void *data, size_t n)
    uint8_t ax_osdp_checksum(const void *data, size_t n)
    int ax_osdp_crc_best()
    int ax_osdp_crc_set_level(int level)


cdef extern from "ax/aes.h" nogil:
    struct ax_aes:
        pass
    void ax_aes_init(ax_aes *aes, const uint8_t *key)
    void ax_aes_wipe(ax_aes *aes)
    void ax_aes_cbc_encrypt(const ax_aes *aes, const uint8_t *iv, const uint8_t *data, uint8_t *out, size_t blocks)
    void ax_aes_cbc_decrypt(const ax_aes *aes, const uint8_t *iv, const uint8_t *data, uint8_t *out, size_t blocks)
    int ax_aes_best()
    int ax_aes_set_level(int level)


cdef extern from "ax/osdp.h" nogil:
    const int AX_OSDP_MAX_FRAME
    const int AX_OSDP_REPLY
    const int AX_OSDP_SQN
    const int AX_OSDP_CRC

    struct ax_osdp_head:
        uint8_t address
        uint8_t control
        uint8_t scb_type
        uint8_t scb_data

    struct ax_osdp_frame:
        const uint8_t *start
        const uint8_t *data
        const uint8_t *mac
        uint16_t length
        uint16_t size
        uint8_t code
        ax_osdp_head head

    struct ax_osdp_rx:
        uint32_t skipped

    int ax_osdp_build(uint8_t *out, size_t cap, const ax_osdp_head *head, uint8_t code, const uint8_t *data, size_t size)
    int ax_osdp_parse(const uint8_t *buf, size_t n, ax_osdp_frame *frame)
    void ax_osdp_rx_reset(ax_osdp_rx *rx)
    size_t ax_osdp_rx_push(ax_osdp_rx *rx, const uint8_t *data, size_t n)
    int ax_osdp_rx_next(ax_osdp_rx *rx, ax_osdp_frame *frame)
    size_t ax_osdp_rx_pending(const ax_osdp_rx *rx)


cdef extern from "ax/osdp_sc.h" nogil:
    struct ax_osdp_sc:
        pass
    const uint8_t ax_osdp_scbk_d[16]
    void ax_osdp_sc_keys(ax_osdp_sc *sc, const uint8_t *scbk, const uint8_t *rnd_a)
    void ax_osdp_sc_client(const ax_osdp_sc *sc, const uint8_t *rnd_a, const uint8_t *rnd_b, uint8_t *out)
    void ax_osdp_sc_server(const ax_osdp_sc *sc, const uint8_t *rnd_a, const uint8_t *rnd_b, uint8_t *out)
    void ax_osdp_sc_start(ax_osdp_sc *sc, const uint8_t *server, uint8_t *r_mac_i)
    void ax_osdp_sc_wipe(ax_osdp_sc *sc)
    int ax_osdp_seal(ax_osdp_sc *sc, uint8_t *out, size_t cap, const ax_osdp_head *head, uint8_t code,
                     const uint8_t *data, size_t size)
    int ax_osdp_open(ax_osdp_sc *sc, const ax_osdp_frame *frame, uint8_t *plain)
    bint ax_osdp_key_weak(const uint8_t *key)
    ctypedef int (*ax_osdp_random)(void *context, uint8_t *out, size_t n) noexcept nogil
    int ax_osdp_getrandom(void *context, uint8_t *out, size_t n) noexcept nogil
