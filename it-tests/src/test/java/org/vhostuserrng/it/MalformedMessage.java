package org.vhostuserrng.it;

/** A message that is wrong, why, and what has to become of it. */
record MalformedMessage(String what, CraftedFrontendMessage message, Consequence consequence) {
    /** What the vhost-user document has a back-end do. */
    enum Consequence {
        /** The session ends, asked for an acknowledgement or not: nobody can tell what follows, or an answer says something else. */
        CLOSED,
        /** A negative acknowledgement if one was asked for, else the session ends. */
        REFUSED,
        /** The message's own answer tells that it failed. */
        ANSWERED
    }

    @Override
    public String toString() {
        return what;
    }
}
