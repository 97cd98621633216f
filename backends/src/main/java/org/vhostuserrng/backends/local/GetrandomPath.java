package org.vhostuserrng.backends.local;

/** The two ways to call getrandom(2). */
public enum GetrandomPath {
    /** The function that Linux 6.11 and later map into the process (vdso(7)). */
    VDSO("vdso"),
    SYSCALL("syscall");

    private final String name;

    GetrandomPath(String name) {
        this.name = name;
    }

    /**
     * Returns the path with the name that {@link #toString} returns.
     *
     * @throws IllegalArgumentException if no path has this name
     */
    public static GetrandomPath of(String name) {
        for (GetrandomPath path : values()) {
            if (path.name.equals(name)) {
                return path;
            }
        }
        throw new IllegalArgumentException("via=" + name + ": expected vdso or syscall");
    }

    @Override
    public String toString() {
        return name;
    }
}
