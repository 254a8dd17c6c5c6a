/* Any bytes as SRTP and SRTCP: nothing that was not protected is taken, what is protected comes back, whatever was fed in
 * between. Input: the profile, then the bytes. */
#include "ax/err.h"
#include "ax/rtp.h"
#include "ax/srtp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static const uint8_t KEY[16] = "0123456789abcde", SALT[14] = "fedcba9876543";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 2048)
        return 0;
    const enum ax_srtp_profile profile = (enum ax_srtp_profile)(data[0] % AX_SRTP_PROFILE_END);
    struct ax_srtp *s, *r;
    uint8_t out[2100], back[2100];
    const size_t nsalt = profile == AX_SRTP_GCM ? 12 : 14, n = size - 1;
    if (ax_srtp_new(&s, profile, KEY, 16, SALT, nsalt) < 0)
        return 0;
    if (ax_srtp_new(&r, profile, KEY, 16, SALT, nsalt) < 0) {
        ax_srtp_free(s);
        return 0;
    }
    uint8_t *exact = malloc(n);
    if (exact) {
        memcpy(exact, data + 1, n);
        require(ax_srtp_unprotect(r, exact, n, back, sizeof back) < 0);
        require(ax_srtp_unprotect_rtcp(r, exact, n, back, sizeof back) < 0);
        int rc = ax_srtp_protect(s, exact, n, out, sizeof out);
        struct ax_rtp_packet p;
        require((rc > 0) == (ax_rtp_parse(exact, n, &p) == AX_OK));
        if (rc > 0) {
            require(ax_srtp_unprotect(r, out, (size_t)rc, back, sizeof back) == (int)n && memcmp(back, exact, n) == 0);
            require(ax_srtp_unprotect(r, out, (size_t)rc, back, sizeof back) == AX_E_STATE);
        }
        rc = ax_srtp_protect_rtcp(s, exact, n, out, sizeof out);
        if (rc > 0) {
            require(ax_srtp_unprotect_rtcp(r, out, (size_t)rc, back, sizeof back) == (int)n && memcmp(back, exact, n) == 0);
            out[n / 2] ^= 1;
            require(ax_srtp_unprotect_rtcp(r, out, (size_t)rc, back, sizeof back) < 0);
        }
        free(exact);
    }
    ax_srtp_free(s);
    ax_srtp_free(r);
    return 0;
}
