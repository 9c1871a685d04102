"""Tokens: made, listed, revoked, refused."""
import os
import stat

from harness import REFUSED, FarfieldTest, main


class Accounts(FarfieldTest):
    def setUp(self):
        super().setUp()
        self.ff.start_service()

    def use(self, token):
        with open(os.path.join(self.ff.home, "token"), "w", encoding="ascii") as file:
            file.write(token + "\n")

    def test_a_token_works_until_it_is_revoked(self):
        first = self.ff.config()["token"]
        made = self.ff.json("token", "create", "laptop")
        self.assertNotEqual(made["token"], first)
        self.use(made["token"])
        self.ff.run("function", "list")
        self.ff.run("token", "revoke", made["token_id"])
        said = self.ff.run("function", "list", status=REFUSED)
        self.assert_says(said, "token")
        self.use(first)
        self.ff.run("function", "list")

    def test_lists_never_show_a_token(self):
        made = self.ff.json("token", "create", "laptop")
        listed = self.ff.run("token", "list", "--json")
        self.assertIn(made["token_id"], listed.out)
        self.assertIn("laptop", listed.out)
        self.assertNotIn(made["token"], listed.out)

    def test_tokens_are_not_in_the_ledger(self):
        made = self.ff.json("token", "create", "laptop")["token"]
        self.ff.run("service", "stop")
        folder = os.path.join(self.ff.home, "service")
        for name in os.listdir(folder):
            if os.path.isfile(os.path.join(folder, name)):
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(made.encode(), file.read(), name)

    def test_a_wrong_token_is_refused_everywhere(self):
        self.use("0" * 64)
        for words in (("function", "list"), ("endpoint", "list"), ("task", "list"), ("token", "list")):
            self.ff.run(*words, status=REFUSED)

    def test_no_token_is_refused(self):
        connection = self.ff.connection()
        connection.request("GET", "/v2/functions")
        self.assertEqual(connection.getresponse().status, 401)
        connection.close()

    def test_secrets_are_readable_by_their_owner_alone(self):
        for name in ("token", "service/key.pem", "service/curve", "service/secret", "service/ledger.db"):
            mode = stat.S_IMODE(os.stat(os.path.join(self.ff.home, name)).st_mode)
            self.assertEqual(mode & 0o077, 0, f"{name}: {mode:o}")
        self.assertEqual(stat.S_IMODE(os.stat(self.ff.home).st_mode), 0o700)


if __name__ == "__main__":
    main()
