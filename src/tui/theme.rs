//! Which characters and colours the terminal gets. Shapes and words carry the meaning; colour repeats it.

use ratatui::style::{Color, Modifier, Style};

/// What the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Whether colours are wanted.
    pub colour: bool,
    /// Whether only ASCII can be shown.
    pub ascii: bool,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Plain text.
    Text,
    /// A title, or the row under the cursor.
    Strong,
    /// Rules, borders, later rows, hints.
    Faint,
    /// The client's.
    Client,
    /// The server's.
    Server,
    /// A failure: an error, a reset, lost bytes.
    Failed,
    /// A cause of the row under the cursor.
    Cause,
    /// A key in a hint.
    Key,
}

impl Theme {
    /// The style of `role`. Blue, yellow and magenta are told apart by all common kinds of colour-blindness, where red and
    /// green are not.
    pub fn style(self, role: Role) -> Style {
        let modifier = match role {
            Role::Strong | Role::Cause | Role::Key => Modifier::BOLD,
            Role::Faint => Modifier::DIM,
            Role::Text | Role::Client | Role::Server | Role::Failed => Modifier::empty(),
        };
        let style = Style::default().add_modifier(modifier);
        match (self.colour, role) {
            (false, _) | (true, Role::Text | Role::Strong | Role::Faint) => style,
            (true, Role::Client) => style.fg(Color::Cyan),
            (true, Role::Server | Role::Key) => style.fg(Color::Blue),
            (true, Role::Failed) => style.fg(Color::Magenta),
            (true, Role::Cause) => style.fg(Color::Yellow),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 8] =
        [Role::Text, Role::Strong, Role::Faint, Role::Client, Role::Server, Role::Failed, Role::Cause, Role::Key];

    #[test]
    fn without_colour_no_role_has_one() {
        let theme = Theme { colour: false, ascii: false };
        for role in ROLES {
            assert_eq!((theme.style(role).fg, theme.style(role).bg), (None, None), "{role:?}");
        }
    }
}
