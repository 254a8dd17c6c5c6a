/* Every code up to the sentinel has its own text. */
#include "ax/err.h"
#include "ax_test.h"

#include <string.h>

int main(void)
{
    for (int err = AX_OK; err > AX_E_END; err--) {
        CHECK(strcmp(ax_strerror(err), "unknown error") != 0);
        for (int other = err - 1; other > AX_E_END; other--)
            CHECK(strcmp(ax_strerror(err), ax_strerror(other)) != 0);
    }
    CHECK(strcmp(ax_strerror(AX_E_END), "unknown error") == 0);
    CHECK(strcmp(ax_strerror(1), "unknown error") == 0);
    return ax_test_done();
}
