package org.vhostuserrng.cli.suite;

import java.util.Locale;

/** How numbers of guests are told. */
final class Guests {
    private Guests() {}

    static String label(int guests) {
        return guests == 1 ? "1 guest" : String.format(Locale.ROOT, "%,d guests", guests);
    }
}
