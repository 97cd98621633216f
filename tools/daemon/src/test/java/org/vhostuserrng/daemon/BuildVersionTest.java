package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class BuildVersionTest {
    @Test
    void namesTheCommit() {
        assertEquals("0.2.0 (1a2b3c4d5)", BuildVersion.describe("0.2.0", "1a2b3c4d5"));
    }

    @Test
    void buildOutsideGitHasTheVersionOnly() {
        assertEquals("0.2.0", BuildVersion.describe("0.2.0", ""));
    }
}
