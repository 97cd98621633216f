package org.vhostuserrng.device;
/** x */
public class Dummy {
    private Dummy() {}
}
