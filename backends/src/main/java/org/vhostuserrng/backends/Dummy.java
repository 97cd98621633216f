package org.vhostuserrng.backends;
/** x */
public class Dummy {
    private Dummy() {}
}
