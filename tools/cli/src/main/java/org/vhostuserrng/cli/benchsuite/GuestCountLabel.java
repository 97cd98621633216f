package org.vhostuserrng.cli.benchsuite;

import java.util.Locale;

/** Formats numbers of guests for scenario names. */
final class GuestCountLabel {
    private GuestCountLabel() {}

    static String label(int guests) {
        return guests == 1 ? "1 guest" : String.format(Locale.ROOT, "%,d guests", guests);
    }
}
