package org.vhostuserrng.cli.checksource.validation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The restart matrix of SP 800-90B §3.1.4.1: the first samples of a source after each of its restarts.
 */
public final class RestartSamples {
    /** §3.1.4.1: number of restarts, which are the rows. */
    public static final int RESTARTS = 1000;
    /** §3.1.4.1: number of samples after each restart, which are the columns. */
    public static final int SAMPLES = 1000;

    private final byte[] rows;

    /** Creates a matrix from its samples, row by row. */
    public RestartSamples(byte[] rows) {
        if (rows.length != RESTARTS * SAMPLES) {
            throw new IllegalArgumentException("expected " + RESTARTS * SAMPLES + " bytes, " + SAMPLES
                    + " samples of each of " + RESTARTS + " restarts, but there are " + rows.length);
        }
        this.rows = rows.clone();
    }

    /**
     * Reads a file that contains the matrix row by row.
     *
     * @throws IllegalArgumentException if the file cannot be read or does not have the size of a matrix; the message is
     *     the reason
     */
    public static RestartSamples read(Path file) {
        try {
            long size = Files.size(file);
            if (size != RESTARTS * SAMPLES) {
                throw new IllegalArgumentException("expected " + RESTARTS * SAMPLES + " bytes, but there are " + size);
            }
            return new RestartSamples(Files.readAllBytes(file));
        } catch (IOException unreadable) {
            throw new IllegalArgumentException("cannot be read", unreadable);
        }
    }

    /** The samples row by row: all samples of the first restart first. */
    public byte[] rows() {
        return rows.clone();
    }

    /** The samples column by column: the first samples of all restarts first. */
    public byte[] columns() {
        byte[] columns = new byte[rows.length];
        for (int row = 0; row < RESTARTS; row++) {
            for (int column = 0; column < SAMPLES; column++) {
                columns[column * RESTARTS + row] = rows[row * SAMPLES + column];
            }
        }
        return columns;
    }
}
