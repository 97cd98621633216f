package org.vhostuserrng.cli.options;

import org.vhostuserrng.backends.Quota;

/** {@code --period}, as the daemon takes it. */
public final class Period extends IntegerInRange {
    public Period() {
        super(1, Quota.LONGEST_PERIOD_MILLIS);
    }
}
