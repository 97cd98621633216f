package org.vhostuserrng.transport.sys;

/**
 * The permissions of a socket file. A front-end needs write permission to connect.
 *
 * @param mode permission bits, 0 to 0777
 * @param group the group ID; {@link #UNCHANGED} for the group that the kernel gives a new file
 */
public record SocketFilePermissions(int mode, int group) {
    /** The value of {@link #group} that leaves the group of the new file unchanged. */
    public static final int UNCHANGED = -1;
}
