package org.vhostuserrng.it;

/** What the file descriptor that comes with a message is of. */
enum MessageFdKind {
    EVENTFD,
    /** A memfd, sealed against shrinking. */
    MEMORY,
    /** One end of a connected pair. */
    SOCKET,
    /** The end that is written to. */
    PIPE,
    DIRECTORY,
    /** A file that is not open for anything (O_PATH). */
    LOCATION
}
