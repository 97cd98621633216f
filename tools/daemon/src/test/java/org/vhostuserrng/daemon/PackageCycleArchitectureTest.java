package org.vhostuserrng.daemon;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Checks that the packages of a module do not depend on each other in cycles. */
class PackageCycleArchitectureTest {
    private static final String BACKENDS = "org.vhostuserrng.backends";

    @Test
    void backendsPackagesFormNoCycle() {
        slices().matching(BACKENDS + ".(*)..")
                .should()
                .beFreeOfCycles()
                .check(new ClassFileImporter()
                        .withImportOption(new ImportOption.DoNotIncludeTests())
                        .importPackages(BACKENDS));
    }
}
