package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

class RateLimiterOptionParserTest {
    private static RateLimiterSettings parse(String... options) throws BadUsageException {
        DaemonArguments arguments = DaemonArguments.parse(DaemonCommand.PROGRAM, DaemonOptions.all(), options);
        return RateLimiterOptionParser.parse(arguments, GuestOptions.of(arguments, Map.of()));
    }

    @Test
    void readsADoubledCommaAsACommaInTheGuestsName() throws BadUsageException {
        RateLimiterSettings settings = parse("--guest=a,,b,weight=7");

        assertEquals(7, settings.forGuest("a,b").share().weight());
    }

    @Test
    void guestKeysOverrideTheOptionsForAllGuests() throws BadUsageException {
        RateLimiterSettings settings = parse("--max-bytes=100", "--guest=a,max-bytes=7");

        assertEquals(7, settings.forGuest("a").limits().maxBytes());
        assertEquals(100, settings.forGuest("b").limits().maxBytes());
    }
}
