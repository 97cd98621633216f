package org.vhostuserrng.cli.options;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Error texts for failed input and output: the message of a file system exception is often only the path. */
public final class IoFailureText {
    private IoFailureText() {}

    /** Returns the path, if known, and the reason of a failure. */
    public static String describe(IOException failure) {
        return failure instanceof FileSystemException file && file.getFile() != null
                ? file.getFile() + ": " + reason(file)
                : reason(failure);
    }

    /** Returns the reason of a failure without the path. */
    public static String reason(IOException failure) {
        return switch (failure) {
            case NoSuchFileException _ -> "no such file or directory";
            case AccessDeniedException _ -> "permission denied";
            case FileAlreadyExistsException _ -> "file exists";
            case FileSystemException file when file.getReason() != null -> file.getReason();
            default -> String.valueOf(failure.getMessage());
        };
    }
}
