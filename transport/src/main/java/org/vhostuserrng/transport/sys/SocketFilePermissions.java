package org.vhostuserrng.transport.sys;

/**
 * The permissions of a socket's file. A front-end needs write permission to connect.
 *
 * @param mode permission bits, 0 to 0777
 * @param group group id; {@link #UNCHANGED} for that of a new file
 */
public record SocketFilePermissions(int mode, int group) {
    /** Stands for the group that a new file has. */
    public static final int UNCHANGED = -1;
}
