package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.PackagedProgram;

/**
 * Tests the information about a back-end that management software reads: its discovery file and the output of
 * {@code --print-capabilities}. The rules are those of the QAPI schema docs/interop/vhost-user.json in QEMU: the
 * structure VhostUserBackend and the union VHostUserBackendCapabilities.
 */
class BackendDiscoveryIT {
    /** Kinds of back-ends that the schema enumerates. */
    private static final Set<String> TYPES = Set.of(
            "9p",
            "balloon",
            "block",
            "caif",
            "console",
            "crypto",
            "fs",
            "gpu",
            "input",
            "net",
            "rng",
            "rpmsg",
            "rproc-serial",
            "scsi",
            "vsock");

    /** Members that a discovery file must have, all of them strings. The optional member tags is for debugging only. */
    private static final Set<String> REQUIRED = Set.of("description", "type", "binary");

    /** A file name with which software sorts the back-ends: two digits, a dash, and the extension json. */
    private static final String FILE_NAME = "[0-9]{2}-[a-z0-9-]+\\.json";

    private static Path discoveryFile() throws IOException {
        try (Stream<Path> files = Files.list(HostCommand.repository().resolve("tools/package/qemu"))) {
            List<Path> all = files.toList();
            assertEquals(1, all.size(), all::toString);
            return all.getFirst();
        }
    }

    /** Parses one JSON object. A string is a String; an array of strings is a List. */
    private static Map<String, Object> parse(String text) throws IOException {
        Map<String, Object> members = new LinkedHashMap<>();
        try (JsonParser json = new JsonFactory().createParser(text)) {
            json.enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
            assertEquals(JsonToken.START_OBJECT, json.nextToken());
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                members.put(name, value(json));
            }
            assertEquals(JsonToken.END_OBJECT, json.currentToken());
            assertEquals(null, json.nextToken(), "one root element");
        }
        return members;
    }

    private static Object value(JsonParser json) throws IOException {
        if (json.nextToken() == JsonToken.VALUE_STRING) {
            return json.getText();
        }
        assertEquals(JsonToken.START_ARRAY, json.currentToken());
        List<String> elements = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            assertEquals(JsonToken.VALUE_STRING, json.currentToken());
            elements.add(json.getText());
        }
        return List.copyOf(elements);
    }

    @Test
    void discoveryFileHasTheMembersOfTheSchema() throws IOException {
        Map<String, Object> members = parse(Files.readString(discoveryFile()));

        assertTrue(members.keySet().containsAll(REQUIRED), members::toString);
        REQUIRED.forEach(name -> assertTrue(members.get(name) instanceof String, name));
        members.keySet().stream().filter(name -> !REQUIRED.contains(name)).forEach(name -> assertEquals("tags", name));
    }

    @Test
    void discoveryFileIsOfAnEntropyDevice() throws IOException {
        Map<String, Object> members = parse(Files.readString(discoveryFile()));

        assertTrue(TYPES.contains(members.get("type")), members::toString);
        assertEquals("rng", members.get("type"));
        assertFalse(members.get("description").toString().isBlank());
    }

    @Test
    void binaryIsAnAbsolutePathThatThePackageInstalls() throws IOException {
        Path binary =
                Path.of(parse(Files.readString(discoveryFile())).get("binary").toString());

        assertTrue(binary.isAbsolute(), binary::toString);
        // stage_program in tools/package/stage makes this link.
        assertEquals(Path.of("/usr/bin/vhost-user-rng"), binary);
    }

    @Test
    void fileNameHasAPriority() throws IOException {
        String name = discoveryFile().getFileName().toString();

        assertTrue(name.matches(FILE_NAME), name);
    }

    /**
     * The union has no branch for the type rng, so only {@code type} is defined. {@code features} is a member of all
     * other branches and of the text of vhost-user.rst, and libvirt requires it.
     */
    @Test
    void capabilitiesHaveTheMembersOfTheSchema() throws Exception {
        PackagedProgram.Result result = PackagedProgram.run("--print-capabilities");

        assertEquals(Map.of("type", "rng", "features", List.of()), parse(result.stdout()));
    }

    @Test
    void capabilitiesAndDiscoveryFileAreOfTheSameType() throws Exception {
        PackagedProgram.Result result = PackagedProgram.run("--print-capabilities");

        assertEquals(
                parse(Files.readString(discoveryFile())).get("type"),
                parse(result.stdout()).get("type"));
    }
}
