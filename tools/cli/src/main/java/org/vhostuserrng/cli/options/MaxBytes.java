package org.vhostuserrng.cli.options;

import org.vhostuserrng.backends.Quota;

/** {@code --max-bytes}, as the daemon takes it. */
public final class MaxBytes extends LongInRange {
    public MaxBytes() {
        super(1, Quota.UNLIMITED);
    }
}
