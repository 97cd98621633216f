package org.vhostuserrng.transport;
/** x */
public class Dummy {
    private Dummy() {}
}
