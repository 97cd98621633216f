package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import org.junit.jupiter.api.Test;

class RateLimiterOptionParserTest {
    private static RateLimiterSettings parse(Set<String> guests, String... options) throws BadUsageException {
        return RateLimiterOptionParser.parse(
                DaemonArguments.parse(DaemonCommand.PROGRAM, DaemonOptions.all(), options), guests);
    }

    @Test
    void readsADoubledCommaAsACommaInTheGuestsName() throws BadUsageException {
        RateLimiterSettings settings = parse(Set.of("a,b"), "--guest=a,,b,weight=7");

        assertEquals(7, settings.forGuest("a,b").share().weight());
    }

    @Test
    void guestKeysOverrideTheOptionsForAllGuests() throws BadUsageException {
        RateLimiterSettings settings = parse(Set.of("a", "b"), "--max-bytes=100", "--guest=a,max-bytes=7");

        assertEquals(7, settings.forGuest("a").limits().maxBytes());
        assertEquals(100, settings.forGuest("b").limits().maxBytes());
    }
}
