package org.vhostuserrng.backends.drbg;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A parser for the CTR_DRBG response files of NIST's Cryptographic Algorithm Validation Program. A section starts with
 * {@code [AES-256 use df]} and parameters in brackets. Its vectors start at {@code COUNT}, and consist of
 * {@code name = value} lines. Sections for other ciphers are skipped.
 */
final class CavpResponseFile {
    private static final Pattern SECTION = Pattern.compile("\\[(\\S+) (use|no) df\\]");
    private static final Pattern PARAMETER = Pattern.compile("\\[(\\w+) = (\\w+)\\]");
    private static final Pattern FIELD = Pattern.compile("(\\w+) =\\s*([0-9a-fA-F]*)");
    private static final String WANTED = "[AES-256 use df]";

    /** One line of a vector. */
    record Field(String name, String hexadecimal) {
        byte[] value() {
            return HexFormat.of().parseHex(hexadecimal);
        }
    }

    /** One known answer: the fields of its operations in order, up to ReturnedBits. */
    record Vector(String name, boolean predictionResistance, int returnedBytes, List<Field> fields) {
        @Override
        public String toString() {
            return name;
        }
    }

    private final String file;
    private final List<Vector> vectors = new ArrayList<>();
    private final Map<String, String> parameters = new HashMap<>();
    private boolean wanted;

    private CavpResponseFile(String file) {
        this.file = file;
    }

    static List<Vector> read(Path path) throws IOException {
        CavpResponseFile reader = new CavpResponseFile(
                path.subpath(path.getNameCount() - 2, path.getNameCount()).toString());
        for (String line : Files.readAllLines(path)) {
            reader.readLine(line.strip());
        }
        return reader.vectors;
    }

    private void readLine(String line) {
        if (SECTION.matcher(line).matches()) {
            wanted = line.equals(WANTED);
            parameters.clear();
        } else if (wanted && !line.isEmpty() && !line.startsWith("#")) {
            readSectionLine(line);
        }
    }

    private void readSectionLine(String line) {
        Matcher parameter = PARAMETER.matcher(line);
        if (parameter.matches()) {
            parameters.put(parameter.group(1), parameter.group(2));
            return;
        }
        Matcher field = FIELD.matcher(line);
        if (!field.matches()) {
            throw new IllegalArgumentException(file + ": " + line);
        }
        if (field.group(1).equals("COUNT")) {
            vectors.add(new Vector(
                    file + " " + parameters + " COUNT " + field.group(2),
                    Boolean.parseBoolean(parameters.get("PredictionResistance")),
                    Integer.parseInt(parameters.get("ReturnedBitsLen")) / Byte.SIZE,
                    new ArrayList<>()));
        } else {
            vectors.getLast().fields().add(new Field(field.group(1), field.group(2)));
        }
    }
}
