package org.vhostuserrng.daemon;
/** x */
public class Dummy {
    private Dummy() {}
}
