package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.limiter.RateLimitMode;

class GuestSettingsEditorTest {
    @Test
    void limitModesAreThoseOfTheOption() throws BadUsageException {
        GuestRateLimiterSettings edited =
                GuestSettingsEditor.edit(GuestRateLimiterSettings.NONE, List.of("limit-mode=window"));

        assertEquals(RateLimitMode.WINDOW, edited.limits().mode());
    }

    @Test
    void unknownLimitModeIsRefused() {
        BadUsageException refused = assertThrows(
                BadUsageException.class,
                () -> GuestSettingsEditor.edit(GuestRateLimiterSettings.NONE, List.of("limit-mode=WINDOW")));

        assertEquals("limit-mode='WINDOW': expected smooth or window", refused.getMessage());
    }
}
